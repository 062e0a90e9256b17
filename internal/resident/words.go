package resident

import (
	"fmt"

	"gridgov/internal/message"
	"gridgov/internal/report"
)

// codeMessage and linkMessage hold nothing that a resident wrote: who asks for a code to somebody else's number cannot have
// words of their own brought there.
func (s *Service) codeMessage(language, code string) message.Message {
	if language == English {
		return message.Message{Subject: s.name(language) + ": your code", Text: fmt.Sprintf(
			"%s is your code for reporting to %s. It is good for 10 minutes. Tell it to nobody; if you did not ask for it, do nothing.", code, s.name(language))}
	}
	return message.Message{Subject: s.Name + "：验证码", Text: fmt.Sprintf("【%s】您的上报验证码是 %s，10 分钟内有效。请勿告诉他人；若非本人操作，不必理会。", s.Name, code)}
}

func (s *Service) linkMessage(language string, num report.Num, link string) message.Message {
	if language == English {
		return message.Message{Subject: fmt.Sprintf("%s: report %d was received", s.name(language), num), Text: fmt.Sprintf(
			"Your report %d was received. What becomes of it: %s\nWhoever has this link can read your report.", num, link)}
	}
	return message.Message{Subject: fmt.Sprintf("%s：已收到上报 %d", s.Name, num),
		Text: fmt.Sprintf("【%s】已收到您的上报 %d。处理进展：%s\n持有此链接的人都能看到这条上报，请妥善保管。", s.Name, num, link)}
}

func (s *Service) testMessage(language string) message.Message {
	if language == English {
		return message.Message{Subject: s.name(language) + ": a test", Text: "This is a test message from " + s.name(language) + ". Nothing is to be done."}
	}
	return message.Message{Subject: s.Name + "：测试", Text: "【" + s.Name + "】这是一条测试消息，不必理会。"}
}

func (s *Service) name(language string) string {
	if language == English {
		if name := s.NameEN(); name != "" {
			return name
		}
	}
	return s.Name
}
