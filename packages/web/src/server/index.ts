export { ensureCertificates } from './certificates.ts'
export type { OAuthApp, WebConfig } from './config.ts'
export { startWeb, type Web } from './web.ts'
