package haining

import (
	"bytes"
	"compress/gzip"
	"embed"
	"encoding/csv"
	"fmt"
	"strings"
)

//go:embed data/*.gz
var data embed.FS

// official is one row of the published list of divisions.
type official struct{ level, code, name, parent string }

func readOfficial() ([]official, error) {
	packed, err := data.ReadFile("data/divisions.csv.gz")
	if err != nil {
		return nil, err
	}
	unpacked, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, fmt.Errorf("embedded divisions: %w", err)
	}
	rows, err := csv.NewReader(unpacked).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("embedded divisions: %w", err)
	}
	out := make([]official, 0, len(rows)-1)
	for _, r := range rows[1:] {
		out = append(out, official{r[0], r[1], r[2], r[3]})
	}
	return out, nil
}

// placeName shortens a committee's name to that of the place it stands for: 荷叶村委会 → 荷叶村, 东山社区居委会 → 东山社区.
func placeName(name string) string {
	for _, end := range []string{"居民委员会", "居委会"} {
		name = strings.TrimSuffix(name, end)
	}
	if base, ok := strings.CutSuffix(name, "村委会"); ok {
		name = base + "村"
	}
	return name
}

// kinds of places, as they end in Chinese and in Latin letters; the longest endings first.
var kinds = []struct{ zh, latin string }{
	{"对外综合开发区社区", "Open Development Zone Community"},
	{"新区社区", " New Area Community"},
	{"社区", " Community"}, {"街道", " Subdistrict"}, {"村", " Village"}, {"镇", " Town"}, {"市", " City"},
}

// LatinName writes a place's name in pinyin without tones and its kind in English: 褚石村 → Chushi Village. It is false where
// a character is not in the table of those that occur in Haining's names.
func LatinName(name string) (string, bool) {
	kind := ""
	for _, k := range kinds {
		if base, ok := strings.CutSuffix(name, k.zh); ok {
			name, kind = base, k.latin
			break
		}
	}
	var b strings.Builder
	for _, r := range name {
		syllable, ok := pinyin[r]
		switch {
		case !ok:
			return "", false
		case b.Len() == 0:
			syllable = strings.ToUpper(syllable[:1]) + syllable[1:]
		case strings.ContainsRune("aoe", rune(syllable[0])):
			b.WriteByte('\'') // Chang'an, not Changan
		}
		b.WriteString(syllable)
	}
	return strings.TrimSpace(b.String() + kind), true
}

// pinyin has one reading a character: none of Haining's 248 names uses one of these in two. The readings that need a
// choice are 长 cháng (as in 长安), 乐 lè (仲乐, 乐农), 褚 chǔ (褚石), 都 dū (经都, 皮都), 巷 xiàng, 斗 dòu, 敭 yáng and 柏 bǎi.
var pinyin = readings(`桥qiao 新xin 山shan 丰feng 联lian 海hai 东dong 长chang 双shuang 金jin 西xi 湾wan 园yuan 民min 南nan 利li
龙long 黄huang 许xu 群qun 红hong 石shi 王wang 星xing 合he 云yun 苑yuan 胜sheng 溪xi 河he 江jiang 永yong 斜xie 和he 农nong 兴xing
郊jiao 花hua 福fu 祝zhu 硖xia 盐yan 庄zhuang 巷xiang 川chuan 尖jian 塘tang 城cheng 华hua 万wan 丁ding 马ma 风feng 隆long 陈chen
镇zhen 都du 郭guo 路lu 袁yuan 街jie 虹hong 碧bi 益yi 火huo 漾yang 港gang 渡du 涛tao 洲zhou 洛luo 梨li 杨yang 村cun 春chun 明ming
文wen 开kai 庙miao 店dian 庆qing 官guan 安an 大da 士shi 墩dun 场chang 周zhou 区qu 凤feng 仲zhong 仓cang 乐le 鹿lu 青qing 院yuan
陆lu 阳yang 闻wen 闸zha 锋feng 钱qian 进jin 迎ying 辛xin 赞zan 谈tan 诸zhu 褚chu 荷he 荡dang 荆jing 茗ming 芦lu 色se 胡hu 肖xiao
聆ling 耳er 老lao 翁weng 结jie 经jing 竦song 科ke 秀xiu 盟meng 皮pi 百bai 白bai 由you 田tian 环huan 狮shi 牛niu 炬ju 濮pu 澜lan
潮chao 湖hu 涧jian 浜bang 泽ze 泰tai 泗si 沙sha 汇hui 正zheng 横heng 梅mei 桐tong 桃tao 树shu 柏bai 林lin 李li 望wang 智zhi
景jing 晓xiao 昌chang 旗qi 斗dou 敭yang 收shou 拳quan 报bao 成cheng 怡yi 德de 彭peng 张zhang 建jian 广guang 岭ling 寿shou 家jia
宁ning 孙sun 夹jia 天tian 埠bu 型xing 国guo 团tuan 喜xi 啸xiao 同tong 叶ye 口kou 发fa 友you 厢xiang 博bo 升sheng 北bei 包bao
前qian 创chuang 凰huang 关guan 军jun 光guang 先xian 元yuan 儒ru 修xiu 保bao 会hui 伊yi 仰yang 井jing 五wu 之zhi 丽li 临lin
中zhong 两liang 上shang 三san`)

func readings(table string) map[rune]string {
	out := map[rune]string{}
	for _, entry := range strings.Fields(table) {
		r := []rune(entry)
		out[r[0]] = string(r[1:])
	}
	return out
}
