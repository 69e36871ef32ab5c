import { join } from 'node:path'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

/** The web server's pages. Assets hang under our own part of the address, so that no account's name is taken. */
export default defineConfig({
  root: join(import.meta.dirname, 'src/ui'),
  base: '/-/',
  plugins: [react()],
  build: {
    outDir: '../../dist/ui',
    emptyOutDir: true,
    assetsInlineLimit: 0,
    rolldownOptions: { checks: { bundlerTimings: false } },
  },
})
