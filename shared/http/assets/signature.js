// Draws a signature on the canvas of signature_field; the hidden field then holds it as a PNG.
(() => {
  "use strict";
  document.querySelectorAll("[data-signature]").forEach((group) => {
    const canvas = group.querySelector("canvas");
    const field = group.querySelector('input[type="hidden"]');
    const clear = group.querySelector("[data-signature-clear]");
    const pen = canvas.getContext("2d");
    let drawing = false;

    function blank() {
      pen.fillStyle = "#fff";
      pen.fillRect(0, 0, canvas.width, canvas.height);
      pen.strokeStyle = "#000";
      pen.lineWidth = 2.5;
      pen.lineCap = pen.lineJoin = "round";
      field.value = "";
    }

    function place(event) {
      const box = canvas.getBoundingClientRect();
      return [
        ((event.clientX - box.left) * canvas.width) / box.width,
        ((event.clientY - box.top) * canvas.height) / box.height,
      ];
    }

    canvas.hidden = clear.hidden = false;
    group.querySelector("[data-signature-without]").hidden = true;
    blank();
    canvas.addEventListener("pointerdown", (event) => {
      drawing = true;
      canvas.setPointerCapture(event.pointerId);
      pen.beginPath();
      pen.moveTo(...place(event));
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!drawing) return;
      pen.lineTo(...place(event));
      pen.stroke();
    });
    canvas.addEventListener("pointerup", () => {
      drawing = false;
      field.value = canvas.toDataURL("image/png");
    });
    clear.addEventListener("click", blank);
  });
})();
