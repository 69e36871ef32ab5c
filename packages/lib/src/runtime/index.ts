export { findModel } from './pool/launch.ts'
export { serveModel } from './serve.ts'
export { type Runtime, type RuntimeOptions, startRuntime } from './server.ts'
