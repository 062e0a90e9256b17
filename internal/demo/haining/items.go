package haining

// Item is one of the 16 entries of the one-stop list.
type Item struct {
	Code   string // 01–16
	Aspect string // A–F
	Name   string
	Latin  string // in English
}

// Aspect names one of the six groups of items.
type Aspect struct{ Code, Name, Latin string }

// Aspects is the six groups, in order.
func Aspects() []Aspect {
	return []Aspect{
		{"A", "生态保护", "Ecological protection"}, {"B", "养犬管理", "Dog raising"}, {"C", "市场监管", "Market supervision"},
		{"D", "市容环境", "City appearance"}, {"E", "土地与建设", "Land and building"}, {"F", "安全与邻里", "Safety and neighbours"},
	}
}

// Items is the one-stop list, in order of its codes.
func Items() []Item {
	return []Item{
		{"01", "A", "露天焚烧", "Open burning"},
		{"02", "A", "河道倾倒、漂浮物", "River dumping, floating waste"},
		{"03", "A", "餐饮油烟、露天烧烤", "Catering fumes, barbecue"},
		{"04", "A", "垃圾倾倒与分类", "Waste dumping and sorting"},
		{"05", "B", "不牵绳、无证或未免疫", "No leash, licence or vaccine"},
		{"06", "B", "流浪犬、伤人、扰民", "Stray, biting, nuisance"},
		{"07", "C", "无证无照经营", "Unlicensed trade"},
		{"08", "C", "食品小作坊安全", "Small-food safety"},
		{"09", "C", "消费投诉", "Consumer complaint"},
		{"10", "D", "占道经营、出店经营", "Road occupation, out-of-shop trade"},
		{"11", "D", "车辆乱停放", "Disorderly parking"},
		{"12", "D", "乱张贴、乱悬挂", "Posters, hanging"},
		{"13", "E", "违法建设", "Illegal building"},
		{"14", "E", "违法用地", "Illegal land use"},
		{"15", "F", "消防通道、住宿与生产混用", "Fire lane, mixed living and workshop"},
		{"16", "F", "噪声与纠纷", "Noise, disputes"},
	}
}
