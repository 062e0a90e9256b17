package dc

// Agency is a body of the city that answers for services.
type Agency struct{ Code, ZH, Name string }

// Agencies are those that the reports name, by code.
func Agencies() []Agency {
	return []Agency{
		{"DDOT", "交通局", "District Department of Transportation"},
		{"DOEE", "能源与环境局", "Department of Energy and Environment"},
		{"DOH", "卫生局", "Department of Health"},
		{"DPW", "公共工程局", "Department of Public Works"},
		{"FEMS", "消防与紧急医疗局", "Fire and Emergency Medical Services"},
		{"OUC", "统一通信局", "Office of Unified Communications"},
	}
}

// Service is what a service code of the reports stands for.
type Service struct {
	Code   string
	Name   string // as the reports have it
	Agency string // whose reports they are, all of them
	Limit  string // as docs/washington-limits.md derives it from the dues; "": no due was given to learn from
}

// Services are the codes of the reports, in order.
func Services() []Service {
	return []Service{
		{"11", "Dead Animal Collection", "DPW", "2 wd"},
		{"CONTREMO", "Container Removal", "DPW", "20 wd"},
		{"DDENIDTI", "DOEE - Engine Idling Tips", "DOEE", ""},
		{"DDOCONRU", "DOEE - Construction – Erosion Runoff", "DOEE", "30 d"},
		{"FESAADNU", "FEMS - Smoke Alarm Application", "FEMS", "2 d"},
		{"FESPEDNU", "FEMS - Community Events", "FEMS", "3 wd"},
		{"GRAFF", "Graffiti Removal", "DPW", "10 wd"},
		{"MARKINST", "Marking Installation", "DDOT", "75 wd"},
		{"MARKMAIN", "Marking Maintenance", "DDOT", "75 wd"},
		{"MARKMODI", "Marking Modification", "DDOT", "75 wd"},
		{"MARKREMO", "Marking Removal", "DDOT", ""},
		{"POWEOUTA", "Wire Down/Power Outage", "OUC", "1 wd"},
		{"PRUNING", "Tree Pruning", "DDOT", "273 wd"},
		{"S0000", "Abandoned Vehicle - On Public Property", "DPW", "5 wd"},
		{"S0003", "Abandoned Vehicle - On Private Property", "DPW", "45 wd"},
		{"S0011", "Alley Cleaning", "DPW", "31 wd"},
		{"S0016", "Alley Repair", "DDOT", "70 wd"},
		{"S0031", "Bulk Collection", "DPW", "14 wd"},
		{"S0081", "Curb and Gutter Repair", "DDOT", "101 wd"},
		{"S0166", "Grass and Weeds Mowing", "DPW", "15 wd"},
		{"S0181", "Illegal Dumping", "DPW", "5 wd"},
		{"S0216", "Public Space Litter Can- Installation/Removal/Repair", "DPW", "273 wd"},
		{"S0217", "Public Space Litter Can-Collection", "DPW", "2 wd"},
		{"S0261", "Parking Enforcement", "DPW", "1 wd"},
		{"S0276", "Parking Meter Repair", "DDOT", "5 wd"},
		{"S0286", "Sign Replacement", "DDOT", "131 wd"},
		{"S0287", "Sign Removal investigation", "DDOT", "131 wd"},
		{"S0301", "Pothole", "DDOT", "3 wd"},
		{"S0311", "Rodent Inspection and Treatment", "DOH", "14 wd"},
		{"S0316", "Recycling Cart Delivery", "DPW", "20 wd"},
		{"S0321", "Recycling Collection - Missed", "DPW", "2 wd"},
		{"S0336", "Out of State Parking Violation (ROSA)", "DPW", "30 wd"},
		{"S0346", "Sanitation Enforcement", "DPW", "5 wd"},
		{"S0361", "Sidewalk Repair", "DDOT", "101 wd"},
		{"S0376", "Sign New Investigation", "DDOT", "131 wd"},
		{"S0391", "Street Cleaning", "DPW", "28 wd"},
		{"S0406", "Street Repair", "DDOT", "70 wd"},
		{"S0422", "Supercan - Delivery", "DPW", "20 wd"},
		{"S0423", "Supercan - Repair", "DPW", "20 wd"},
		{"S0441", "Trash Collection - Missed", "DPW", "2 wd"},
		{"S0457", "Tree Inspection", "DDOT", "5 wd"},
		{"S0459", "Tree Removal", "DDOT", "273 wd"},
		{"S0476", "Yard Waste - Missed", "DPW", "5 wd"},
		{"S05AL", "Alleylight Repair", "DDOT", "2 wd"},
		{"S05SL", "Streetlight Repair Investigation", "DDOT", "2 wd"},
		{"SIGNMISS", "Sign Missing Investigation", "DDOT", "131 wd"},
		{"SIGTRAMA", "Traffic Signal Maintanence", "DDOT", "24 ch"}, //nolint:misspell // as the city writes it
		{"SPSTDAMA", "Traffic Calming", "DDOT", "90 d"},
	}
}
