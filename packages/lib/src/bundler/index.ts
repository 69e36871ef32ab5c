export { type Bundled, type BundleRequest, bundle } from './bundle.ts'
export { nodeWheel } from './dockerfile.ts'
