export { ensureCertificates } from './certificates.ts'
export { defaultLimits as defaultWebLimits, type OAuthApp, type WebConfig, type WebLimits } from './config.ts'
export { startWeb, type Web } from './web.ts'
