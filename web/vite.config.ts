// Two builds into one folder: the portal, and ("--mode login") the login page that is all a stranger
// gets; apart, because the library they would share is mostly what the login page does not need.
// Libraries have chunks of their own, so that a change of the portal leaves them in the browser's cache.
import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defineConfig } from 'vitest/config'

const libraries: [string, string][] = [
  ['svelte', '/node_modules/svelte/'],
  ['uplot', '/node_modules/uplot/dist/uPlot.esm'],
]

export default defineConfig(({ mode }) => ({
  plugins: [svelte()],
  resolve: process.env.VITEST ? { conditions: ['browser'] } : undefined,
  build: {
    target: ['chrome100', 'firefox100', 'safari15.4'],
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    sourcemap: false,
    manifest: mode === 'login' ? '.vite/login.json' : '.vite/manifest.json',
    emptyOutDir: mode !== 'login',
    copyPublicDir: mode !== 'login',
    reportCompressedSize: false,
    rollupOptions: {
      // Reading a property is how an effect says what it depends on (`void rows`); it must not be shaken off.
      treeshake: { propertyReadSideEffects: 'always' },
      input: mode === 'login' ? 'login.html' : 'index.html',
      output: {
        manualChunks: (id: string) => {
          if (mode === 'login') return undefined
          if (id.includes('/node_modules/clsx/') || id.includes('/node_modules/esm-env/')) return 'svelte'
          return libraries.find(([, path]) => id.includes(path))?.[0]
        },
      },
    },
  },
  server: {
    proxy: {
      '/api': { target: process.env.LIGHTSHIP_URL ?? 'http://127.0.0.1:8080', ws: true },
    },
  },
  test: {
    environment: 'happy-dom',
    include: ['test/**/*.test.ts', 'src/**/*.test.ts'],
  },
}))
