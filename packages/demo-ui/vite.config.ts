import { join } from 'node:path'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

/** The runtime's own page: one folder, no request to anywhere else. */
export default defineConfig({
  root: join(import.meta.dirname, 'page'),
  base: './',
  plugins: [react()],
  build: {
    outDir: '../dist/page',
    emptyOutDir: true,
    assetsInlineLimit: 0,
    manifest: 'manifest.json',
    rolldownOptions: { checks: { bundlerTimings: false } },
  },
})
