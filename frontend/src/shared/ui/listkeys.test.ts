import { expect, test } from 'vitest'
import { ref } from 'vue'
import { listKeys } from './listkeys'

function given(found: string[]) {
  const [at, open, chosen] = [ref(0), ref(false), [] as string[]]
  const hear = listKeys({ found: () => found, at, open }, one => chosen.push(one))
  const key = (name: string, more = {}) => {
    let prevented = false
    const e = { key: name, isComposing: false, keyCode: 0, preventDefault: () => (prevented = true), ...more }
    hear(e as unknown as KeyboardEvent)
    return prevented
  }
  return { at, open, chosen, key }
}

test('arrows open a list and go round in it, and Enter takes what they are at', () => {
  const { at, open, chosen, key } = given(['a', 'b', 'c'])
  expect(key('Enter')).toBe(true)
  expect(chosen).toEqual([])
  key('ArrowDown')
  expect([open.value, at.value]).toEqual([true, 0])
  key('ArrowUp')
  key('Enter')
  key('ArrowDown')
  key('ArrowDown')
  key('Enter')
  expect(chosen).toEqual(['c', 'b'])
  expect(key('x')).toBe(false)
})

test('what an input method takes chooses nothing', () => {
  const { at, open, chosen, key } = given(['a', 'b'])
  open.value = true
  for (const method of [{ isComposing: true }, { keyCode: 229 }])
    for (const name of ['Enter', 'ArrowDown']) expect(key(name, method)).toBe(false)
  expect([at.value, chosen]).toEqual([0, []])
})

test('of nothing found nothing is chosen', () => {
  const { at, chosen, key } = given([])
  for (const name of ['ArrowDown', 'ArrowUp', 'Enter']) key(name)
  expect([at.value, chosen]).toEqual([0, []])
})
