"""Every backend against SkyPilot itself on generated inputs, and facts that hold for all inputs."""
