import { builtinModules } from 'node:module'
import { join } from 'node:path'
import { defineConfig } from 'vite'

/** The author's command as files that need nothing but Node, for the Python package. */
export default defineConfig({
  root: import.meta.dirname,
  ssr: { noExternal: true, target: 'node' },
  build: {
    ssr: true,
    target: 'node24',
    outDir: '../lib/dist/command',
    emptyOutDir: true,
    minify: true,
    rolldownOptions: {
      checks: { bundlerTimings: false },
      input: { cli: join(import.meta.dirname, 'src/author.ts') },
      external: [...builtinModules, /^node:/],
      output: { entryFileNames: '[name].mjs', chunkFileNames: '[name]-[hash].mjs' },
    },
  },
})
