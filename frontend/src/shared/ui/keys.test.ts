import { expect, test } from 'vitest'
import { plain } from './keys'

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
