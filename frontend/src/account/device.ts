/** What a browser says of itself, in a few words. */
export interface Device {
  /** '' where it does not say. Names, the same in all languages. */
  browser: string
  system: string
}

// In this order: each says the names of those that came before it too.
const browsers: [RegExp, string][] = [
  [/MicroMessenger\//, 'WeChat'],
  [/DingTalk\//, 'DingTalk'],
  [/\bEdgA?(?:iOS)?\//, 'Edge'],
  [/\bOPR\//, 'Opera'],
  [/SamsungBrowser\//, 'Samsung Internet'],
  [/HuaweiBrowser\//, 'Huawei Browser'],
  [/(?:UCBrowser|UBrowser)\//, 'UC Browser'],
  [/QQBrowser\//, 'QQ Browser'],
  [/(?:Firefox|FxiOS)\//, 'Firefox'],
  [/HeadlessChrome\//, 'Chrome'],
  [/(?:Chrome|CriOS)\//, 'Chrome'],
  [/Version\/[\d.]+ .*Safari\//, 'Safari'],
  [/^curl\//, 'curl'],
]
const systems: [RegExp, string][] = [
  [/HarmonyOS|OpenHarmony/, 'HarmonyOS'],
  [/Android/, 'Android'],
  [/iPhone/, 'iPhone'],
  [/iPad/, 'iPad'],
  [/Windows/, 'Windows'],
  [/CrOS/, 'ChromeOS'],
  [/Macintosh|Mac OS X/, 'macOS'],
  [/Linux|X11/, 'Linux'],
]

export function deviceOf(agent: string): Device {
  const first = (of: [RegExp, string][]) => of.find(([says]) => says.test(agent))?.[1] ?? ''
  return { browser: first(browsers), system: first(systems) }
}
