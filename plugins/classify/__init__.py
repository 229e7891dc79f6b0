"""Classification of images by convolutional networks in ONNX form."""
