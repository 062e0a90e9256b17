import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vitest/config'
import { pageWorker } from './build/worker.ts'

// During development the page comes from Vite and everything else from a running `gridgov serve`.
const server = process.env.GRIDGOV_URL ?? 'http://127.0.0.1:8080'

const define = {
  __VUE_OPTIONS_API__: 'false',
  __VUE_I18N_LEGACY_API__: 'false',
  __VUE_I18N_FULL_INSTALL__: 'false',
  __INTLIFY_PROD_DEVTOOLS__: 'false',
}

/** Tests and measurements that run bin/gridgov and a browser. */
const inBrowser = {
  environment: 'node',
  globalSetup: 'e2e/setup.ts',
  fileParallelism: false,
  // Longer than the driver waits for a condition, so that what failed is told by name.
  testTimeout: 150_000,
  hookTimeout: 240_000,
} as const

export default defineConfig({
  plugins: [
    vue(),
    pageWorker({ page: 'field.html', at: './', script: 'src/field/worker/worker.ts', file: 'field-worker.js', define }),
    pageWorker({
      page: 'report.html',
      at: './report',
      script: 'src/resident/worker.ts',
      file: 'report-worker.js',
      define,
      // The map's ground comes by the line, so its code is not kept either.
      without: /maplibre|PlaceMap/,
    }),
  ],
  define,
  server: {
    proxy: {
      '^/[a-z][a-z0-9]{1,30}/v1(/|$)': { target: server, changeOrigin: false },
      '/cities': { target: server, changeOrigin: false },
    },
  },
  build: {
    target: 'es2022',
    // MapLibre alone is about 1 MB before compression; it is split off so that it stays cached when the page changes.
    chunkSizeWarningLimit: 1200,
    rollupOptions: {
      input: ['index.html', 'field.html', 'report.html'],
      output: {
        manualChunks: id => (id.includes('/maplibre-gl/') ? 'maplibre' : undefined),
      },
    },
  },
  test: {
    projects: [
      { extends: true, test: { name: 'unit', environment: 'node', include: ['src/**/*.test.ts'] } },
      { extends: true, test: { name: 'e2e', include: ['e2e/**/*.test.ts'], ...inBrowser } },
      { extends: true, test: { name: 'bench', include: ['e2e/**/*.bench.ts'], ...inBrowser } },
    ],
  },
})
