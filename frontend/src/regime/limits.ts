import type { OneStopStage } from './types'

/** A limit as it is counted: minutes of all time or of working time, or half working days. */
export interface Limit {
  unit: 'clock' | 'work' | 'day'
  amount: number
}

type Code = 'min' | 'ch' | 'd' | 'wmin' | 'wh' | 'wd'
interface Form {
  code: Code
  unit: Limit['unit']
  /** The amount that one of it is. */
  steps: number
  spoken: readonly string[]
}

// As internal/worktime reads them: the service decides, the page tells beforehand.
const forms: readonly Form[] = [
  { code: 'min', unit: 'clock', steps: 1, spoken: ['分', '分钟', 'minute', 'minutes'] },
  {
    code: 'ch',
    unit: 'clock',
    steps: 60,
    spoken: ['h', 'hour', 'hours', '小时', '紧急工作时', '紧急小时', 'hour running', 'hours running'],
  },
  {
    code: 'd',
    unit: 'clock',
    steps: 1440,
    spoken: ['day', 'days', '天', '自然日', '日', 'day running', 'days running'],
  },
  { code: 'wmin', unit: 'work', steps: 1, spoken: ['工作分钟', 'working minute', 'working minutes'] },
  { code: 'wh', unit: 'work', steps: 60, spoken: ['工作时', '工作小时', 'working hour', 'working hours'] },
  { code: 'wd', unit: 'day', steps: 2, spoken: ['工作日', 'working day', 'working days'] },
]
const maxDays = 3660

/** Reads a limit such as "4 wh"; null where it is none. */
export function parseLimit(text: string): Limit | null {
  const whole = text.trim()
  const rest = whole.replace(/^紧急/, '').trim()
  const m = /^(\d{1,7})(\.\d{1,4})?\s*个?\s*(.*)$/.exec(rest)
  if (!m) return null
  const name = m[3]!.trim().toLowerCase().replace(/\s+/g, ' ')
  const form = forms.find(f => f.code === name || f.spoken.includes(name))
  if (!form || (rest !== whole && form.unit !== 'clock')) return null
  const amount = Number(m[1]! + (m[2] ?? '')) * form.steps
  const most = maxDays * (form.unit === 'day' ? 2 : 1440)
  if (!Number.isInteger(amount) || amount < 1 || amount > most) return null
  return { unit: form.unit, amount }
}

function formOf({ unit, amount }: Limit): Form {
  const code: Code =
    unit === 'day'
      ? 'wd'
      : unit === 'work'
        ? amount % 30 === 0
          ? 'wh'
          : 'wmin'
        : amount >= 2880 && amount % 1440 === 0
          ? 'd'
          : amount >= 60 && amount % 30 === 0
            ? 'ch'
            : 'min'
  return forms.find(f => f.code === code)!
}

/** How it is written: "4 wh". */
export function writeLimit(l: Limit): string {
  const f = formOf(l)
  return `${l.amount / f.steps} ${f.code}`
}

/** The words for a limit: a key of the section limit, the number, and a count for the plural. */
export function limitWords(l: Limit): { key: `limit.${Code}`; n: string; count: number } {
  const f = formOf(l)
  const n = l.amount / f.steps
  return { key: `limit.${f.code}`, n: String(n), count: n === 1 ? 1 : 2 }
}

/** Reads "责令停工/Stop order 4 wh; 处罚/Penalty 7 wd"; null where a part names no limit. */
export function parseStages(text: string): OneStopStage[] | null {
  const stages: OneStopStage[] = []
  for (const part of text.split(/[;；]/)) {
    if (!part.trim()) continue
    const m = /^(.*?)\s*((?:紧急\s*)?[0-9.]+[^0-9.]*)$/.exec(part.trim())
    const limit = m ? parseLimit(m[2]!) : null
    if (!m || !limit) return null
    const [zh = '', en = ''] = m[1]!.split('/').map(s => s.trim())
    stages.push({ ...(zh || en ? { name: { zh, ...(en ? { en } : {}) } } : {}), limit: writeLimit(limit) })
  }
  return stages.length > 0 ? stages : null
}

/** How stages are written on one line. */
export function writeStages(stages: readonly OneStopStage[]): string {
  return stages
    .map(s => {
      const name = [s.name?.zh ?? '', s.name?.en ?? ''].filter(Boolean).join('/')
      return [name, s.limit].filter(Boolean).join(' ')
    })
    .join('; ')
}
