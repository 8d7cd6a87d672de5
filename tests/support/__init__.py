"""What tests stand on: databases, brokers and builders."""
