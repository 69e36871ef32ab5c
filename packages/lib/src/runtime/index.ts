export { findModel } from './pool/launch.ts'
export { type ServeOptions, serveModel } from './serve.ts'
export { type Runtime, type RuntimeOptions, startRuntime } from './server.ts'
