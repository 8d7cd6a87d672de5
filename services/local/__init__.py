"""What a laptop or one small office runs beside the services: a database and a broker."""
