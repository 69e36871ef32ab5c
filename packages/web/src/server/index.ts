export { DeployerList, DeployerRefused, type ListedDeployer } from './accounts/deployer-list.ts'
export { type CertificateOptions, ensureCertificates, writeDaemonCertificates } from './certificates/certificates.ts'
export { defaultLimits as defaultWebLimits, type OAuthApp, type WebConfig, type WebLimits } from './config.ts'
export { startWeb, type Web } from './web.ts'
