export { bundle } from './bundle.ts'
export { nodeWheel } from './dockerfile.ts'
