"""The Kubernetes that everything rendered has to be taken by."""

#: Its minor version, as kubernetes-validate and Helm name it.
KUBERNETES = "1.36"
