import { builtinModules, createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { defineConfig, type Plugin } from 'vite'

const entry = (path: string) => join(import.meta.dirname, 'src', path)

/** Resolves what a library itself depends on. */
const requireOf = (library: string, from = createRequire(import.meta.url)) => createRequire(from.resolve(library))

const bundled = (name: string) => join(import.meta.dirname, 'bundled', `${name}.cjs`)

/**
 * What stands in a bundle for parts of libraries that a runtime never calls, or needs less of: no route has a JSON
 * schema, no folder is listed,
 * no request is injected, no thread writes logs, no proxy is trusted; YAML comes as modules, of which what is not used
 * falls
 * away. Two thirds of the bytes are saved so.
 */
const smaller = {
  '@fastify/ajv-compiler': bundled('compiler'),
  '@fastify/fast-json-stringify-compiler': bundled('compiler'),
  glob: bundled('left-out'),
  'light-my-request': bundled('left-out'),
  'thread-stream': bundled('left-out'),
  '@fastify/proxy-addr': bundled('left-out'),
  'safe-regex2': bundled('safe-regex'),
  semver: bundled('semver'),
  debug: bundled('debug'),
  yaml: fileURLToPath(import.meta.resolve('yaml')).replace('/dist/', '/browser/'),
  mime: requireOf('@fastify/send', requireOf('@fastify/static')).resolve('mime/lite.js'),
}

/**
 * Fastify's options stand in our code, where types check them. Of what would check them again only what they are when
 * unsaid is kept.
 */
const fastifyOptions: Plugin = {
  name: 'fastify-options',
  load: {
    filter: { id: /fastify\/lib\/config-validator\.js$/ },
    handler(path) {
      const defaults = JSON.stringify(createRequire(import.meta.url)(path).defaultInitOptions)
      return `const defaults = ${defaults}
module.exports = (options) => {
  for (const name of Object.keys(options)) if (!(name in defaults)) delete options[name]
  for (const name of Object.keys(defaults)) options[name] ??= defaults[name]
  return true
}
module.exports.defaultInitOptions = defaults`
    },
  },
}

/** What a bundle carries under `origami/`: each a file that needs nothing but Node. */
export default defineConfig({
  root: import.meta.dirname,
  plugins: [fastifyOptions],
  ssr: { noExternal: true, target: 'node' },
  resolve: { alias: smaller },
  build: {
    ssr: true,
    target: 'node24',
    outDir: 'dist/vendor',
    minify: true,
    rolldownOptions: {
      checks: { bundlerTimings: false },
      input: {
        server: entry('runtime/main.ts'),
        worker: entry('runtime/worker/main.ts'),
        author: entry('author/index.ts'),
      },
      external: [...builtinModules, /^node:/],
      output: { entryFileNames: '[name].mjs', chunkFileNames: 'shared-[name].mjs' },
    },
  },
})
