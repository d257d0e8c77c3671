"""Ways to run a model: OpenVINO on the processor, torch on GPUs and for TorchScript."""
