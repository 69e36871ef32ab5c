import { builtinModules } from 'node:module'
import { join } from 'node:path'
import { defineConfig } from 'vite'

const entry = (path: string) => join(import.meta.dirname, 'src', path)

/** What a bundle carries under `origami/`: each a file that needs nothing but Node. */
export default defineConfig({
  root: import.meta.dirname,
  ssr: { noExternal: true, target: 'node' },
  build: {
    ssr: true,
    target: 'node24',
    outDir: 'dist/vendor',
    minify: true,
    rolldownOptions: {
      input: { server: entry('runtime/main.ts'), worker: entry('runtime/worker/main.ts'), author: entry('author/index.ts') },
      external: [...builtinModules, /^node:/],
      output: { entryFileNames: '[name].mjs', chunkFileNames: 'shared-[name].mjs' },
    },
  },
})
