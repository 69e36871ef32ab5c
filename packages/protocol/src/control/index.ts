export * from './forge.ts'
export * from './routes.ts'
export * from './states.ts'
export * from './web-api.ts'
