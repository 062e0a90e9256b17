import { afterAll, beforeAll, it } from 'vitest'
import { FieldDriver } from './fielddriver'

/** How fast the phone app is on a slow phone and a thin line: docs/performance.md. Best of 3 each; nothing is asserted of a time. */
let d: FieldDriver
beforeAll(async () => {
  d = await FieldDriver.start()
})
afterAll(() => d?.stop())

it('measures', async () => {
  const best = { first: 1e9, again: 1e9, offline: 1e9, kept: 1e9 }
  const slow = { as: 'grid_worker', slow: true } as const
  let bytes = 0
  for (let i = 0; i < 3; i++) {
    await d.given.phone(slow)
    best.first = Math.min(best.first, await d.get.readyAfter())
    await d.sees('it is ready for offline', () => d.get.readyForOffline(), 90_000)
    await d.when.killPage()
    best.again = Math.min(best.again, await d.get.readyAfter())
    await d.when.offline(true)
    await d.when.killPage()
    best.offline = Math.min(best.offline, await d.get.readyAfter())
    const photo = await d.camera(4000, 3000)
    bytes = photo.length
    await d.when.click('take')
    await d.sees('the camera', () => d.get.seen('to-item'))
    best.kept = Math.min(best.kept, await d.get.keptAfter('photo-kept', photo))
    await d.when.offline(false)
  }
  const row = (what: string, ms: number, bar: number) =>
    `${what.padEnd(44)} ${ms.toFixed(0).padStart(6)} ms   bar ${bar}`
  process.stdout.write(
    [
      'a phone of a quarter of this machine, 1.6 Mbit/s, 300 ms; best of 3',
      row('interactive, the first time', best.first, 4000),
      row('interactive, again', best.again, 1500),
      row('interactive, without a line', best.offline, 1500),
      row(`shutter to "kept", 12 Mpx, ${(bytes / 1e6).toFixed(1)} MB`, best.kept, 1000),
      '',
    ].join('\n'),
  )
}, 600_000)
