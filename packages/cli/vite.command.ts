import { builtinModules } from 'node:module'
import { join } from 'node:path'
import { defineConfig, type Plugin } from 'vite'

/** What is compiled for the machine, or looks for its parts when it is loaded. */
const asInstalled = ['better-sqlite3', 'dockerode', '@peculiar/x509', 'reflect-metadata']

/** One other character makes V8 keep a whole file with two bytes for each: 5 MB more, while the servers run. */
const escaped: Plugin = {
  name: 'escaped',
  generateBundle(_options, files) {
    for (const file of Object.values(files))
      if (file.type === 'chunk')
        file.code = file.code.replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
  },
}

/**
 * The whole command in a checkout, as few files: its sources and libraries are 2400 modules, and finding each of them
 * takes most of a start. It is not minified, so that errors say where they come from.
 */
export default defineConfig({
  root: import.meta.dirname,
  plugins: [escaped],
  ssr: { noExternal: true, external: asInstalled, target: 'node' },
  build: {
    ssr: true,
    target: 'node24',
    outDir: 'dist',
    emptyOutDir: true,
    minify: false,
    reportCompressedSize: false,
    rolldownOptions: {
      checks: { bundlerTimings: false },
      input: { main: join(import.meta.dirname, 'src/main.ts') },
      external: [...builtinModules, /^node:/],
      output: { entryFileNames: '[name].mjs', chunkFileNames: '[name]-[hash].mjs' },
    },
  },
})
