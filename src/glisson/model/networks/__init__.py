"""Networks that Glisson builds: SegFormer, and a decoder on a pretrained encoder.

Nothing here imports torch until a network is built.
"""
