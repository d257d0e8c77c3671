"""What a phantom biopsy is, in numbers and vectors, before anything is drawn."""
