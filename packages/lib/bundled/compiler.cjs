// Fastify makes its compilers of JSON schemas when it starts, and uses them once a route has a schema: no route of a runtime has one.
module.exports = () => () => {
  throw new Error('routes of a runtime have no JSON schemas: see packages/lib/vite.config.ts')
}
