import { rm } from 'node:fs/promises'
import type { TestProject } from 'vitest/node'
import { dataFolder, serveDemo } from './server'

declare module 'vitest' {
  interface ProvidedContext {
    /** The data folder with the demo loaded, which nobody serves. */
    demo: string
  }
}

/** Loads the demo once, for all files of tests. */
export default async function setup(project: TestProject) {
  if (process.env.GRIDGOV_URL) return
  const data = await dataFolder()
  project.provide('demo', data)
  const server = await serveDemo(data, true)
  await server.stop()
  return () => rm(data, { recursive: true, force: true })
}
