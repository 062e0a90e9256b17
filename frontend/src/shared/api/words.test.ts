import { describe, expect, it } from 'vitest'
import { ApiError } from './client'
import { serverWords } from './words'

describe("the server's words", () => {
  const chinese = new ApiError(400, { detail: '事项 99 不在清单上' })
  const english = new ApiError(400, { detail: 'item 99 is not on the list' })

  it('are shown in their own language only', () => {
    expect(serverWords(chinese, 'zh')).toBe('事项 99 不在清单上')
    expect(serverWords(english, 'en')).toBe('item 99 is not on the list')
    expect(serverWords(chinese, 'en')).toBeNull()
    expect(serverWords(english, 'zh')).toBeNull()
  })

  it('may be missing', () => {
    expect(serverWords(new ApiError(500, {}), 'zh')).toBeNull()
    expect(serverWords(new ApiError(500, { detail: ' ' }), 'en')).toBeNull()
  })
})
