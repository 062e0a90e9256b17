import { createHash } from 'node:crypto'
import { build, type Plugin } from 'vite'

interface Options {
  /** The file of the page, and its address from where the worker lies. */
  page: string
  at: string
  script: string
  file: string
  define: Record<string, string>
  /** What the page asks for only where there is a line. */
  without?: RegExp
}

/**
 * Builds a page's service worker once the pages are built, and tells it the files that the page is made of: what it needs, by way of
 * whatever imports, and nothing of the other pages.
 */
export function pageWorker(options: Options): Plugin {
  const files = new Set<string>()
  let revision = ''
  let outDir = ''
  return {
    name: `worker of ${options.page}`,
    apply: 'build',
    configResolved(config) {
      outDir = config.build.outDir
    },
    generateBundle(_, bundle) {
      const entry = Object.values(bundle).find(c => c.type === 'chunk' && c.facadeModuleId?.endsWith(`/${options.page}`))
      if (entry?.type !== 'chunk') throw new Error(`${options.page} is no page that is built`)
      const assets = Object.values(bundle).filter(f => f.type === 'asset')
      const visit = (name: string) => {
        const chunk = bundle[name]
        if (files.has(name) || chunk?.type !== 'chunk' || options.without?.test(name)) return
        files.add(name)
        const { importedCss, importedAssets } = chunk.viteMetadata ?? {}
        for (const f of [...(importedCss ?? []), ...(importedAssets ?? [])]) files.add(f)
        // Other scripts are named by their address alone, as a worker is.
        for (const a of assets) if (chunk.code.includes(a.fileName)) files.add(a.fileName)
        for (const next of [...chunk.imports, ...chunk.dynamicImports]) visit(next)
      }
      visit(entry.fileName)
    },
    writeBundle(_, bundle) {
      // What holds styles alone is no script in the end; its styles are.
      for (const f of files) if (!bundle[f]) files.delete(f)
      const page = bundle[options.page]
      if (page?.type === 'asset') revision = createHash('sha256').update(page.source).digest('hex').slice(0, 16)
    },
    async closeBundle() {
      if (files.size === 0) return
      const list = [
        { url: options.at, revision },
        ...[...files].toSorted().map(f => ({ url: `/${f}`, revision: null })), // their names hold a digest
      ]
      await build({
        configFile: false,
        publicDir: false,
        logLevel: 'warn',
        define: { ...options.define, 'self.__WB_MANIFEST': JSON.stringify(list), 'process.env.NODE_ENV': '"production"' },
        build: {
          outDir,
          emptyOutDir: false,
          target: 'es2022',
          rollupOptions: { input: options.script, output: { format: 'iife', entryFileNames: options.file } },
        },
      })
    },
  }
}
