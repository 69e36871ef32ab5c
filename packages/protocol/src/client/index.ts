export * from './client.ts'
export * from './refusal.ts'
