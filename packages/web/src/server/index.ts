export { DeployerList, DeployerRefused } from './accounts/deployer-list.ts'
export { type CertificateOptions, ensureCertificates, writeDaemonCertificates } from './certificates/certificates.ts'
export {
  defaultLimits as defaultWebLimits,
  type OAuthApp,
  type WebConfig,
  type WebLimits,
  type WebSecrets,
} from './config.ts'
export type { ListedDeployer } from './store/deployers.ts'
export { startWeb, type Web } from './web.ts'
