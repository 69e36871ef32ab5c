// What a runtime never calls. Whoever does call it is told, instead of getting nothing.
module.exports = new Proxy(() => {}, {
  apply() {
    throw new Error('this is left out of bundles: see packages/lib/vite.config.ts')
  },
})
