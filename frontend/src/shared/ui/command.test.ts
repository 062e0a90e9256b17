import { expect, test, vi } from 'vitest'
import { commandOf } from './command'

test('keys of an input method are no commands', () => {
  vi.stubGlobal('document', { querySelector: () => null })
  vi.stubGlobal('HTMLElement', class {})
  const key = (more: object) => commandOf({ key: 'J', keyCode: 74, target: null, ...more } as KeyboardEvent)
  expect([key({}), key({ isComposing: true }), key({ keyCode: 229 })]).toEqual(['j', null, null])
  vi.unstubAllGlobals()
})
