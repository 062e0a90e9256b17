import { expect, test } from 'vitest'
import { escapes, plain } from './keys'

test('keys of an input method are left alone', () => {
  const heard: string[] = []
  const hear = plain<KeyboardEvent>(e => heard.push(e.key))
  const key = (name: string, more: object) =>
    hear({ key: name, isComposing: false, keyCode: 13, ...more } as KeyboardEvent)
  key('a candidate', { isComposing: true })
  key('a candidate, told by its code', { keyCode: 229 })
  key('a line', {})
  expect(heard).toEqual(['a line'])
})

test('Escape puts away one part of the page, unless it is the input method’s', () => {
  const done: string[] = []
  const key = (composing: boolean) =>
    ({
      key: 'Escape',
      isComposing: composing,
      keyCode: 27,
      stopPropagation: () => done.push('stopped'),
      preventDefault: () => done.push('prevented'),
    }) as unknown as KeyboardEvent
  escapes(key(true), () => done.push('put away'))
  expect(done).toEqual([])
  escapes(key(false), () => done.push('put away'))
  expect(done).toEqual(['stopped', 'prevented', 'put away'])
})
