export { type Bundled, type BundleRequest, bundle } from './bundle.ts'
