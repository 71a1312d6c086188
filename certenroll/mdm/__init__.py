"""An MDM server's SyncML messages and the ClientCertificateInstall tree that they change; above the object model."""
