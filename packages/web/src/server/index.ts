export { DeployerList } from './accounts/deployer-list.ts'
export { ensureCertificates, writeDaemonCertificates } from './certificates/certificates.ts'
export type { WebConfig, WebLimits, WebSecrets } from './config.ts'
export { startWeb, type Web } from './web.ts'
