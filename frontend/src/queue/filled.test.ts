import { describe, expect, it } from 'vitest'
import { ref } from 'vue'
import { useFilled } from './filled'

describe('a field with a proposal', () => {
  it('follows the proposal until somebody writes there', () => {
    const [about, proposed] = [ref('merge 1'), ref('7')]
    const field = useFilled(
      () => about.value,
      () => proposed.value,
    )
    expect(field.value).toBe('7')
    proposed.value = '' // another case is open, and what lies beside it is not known yet
    expect(field.value).toBe('')
    proposed.value = '9'
    expect(field.value).toBe('9')
    field.value = '5'
    proposed.value = '8'
    expect(field.value).toBe('5')
    field.value = ''
    expect(field.value).toBe('') // cleared is written, too
    about.value = 'merge 2'
    expect(field.value).toBe('8')
  })
})
