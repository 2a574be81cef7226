package ledger

import "slices"

// Action is a kind of entry.
type Action struct {
	Name string // noun.verb; its words are ledger.action.<name>
	// Shown are the parts of Detail that a member is shown in entries about
	// itself. What is not listed stays with the centre.
	Shown []string
}

// Actions is every kind of entry that the program writes: a line each, so that
// what a member learns from them can be read in one place.
func Actions() []Action {
	return []Action{
		{"program.start", nil},
		{"rules.load", nil},
		{"member.create", []string{"sector"}},
		{"member.state", []string{"was", "state", "reason"}},
		{"user.create", []string{"roles"}},
		{"user.roles", []string{"was", "roles"}},
		{"user.remove", nil},
		{"user.restore", nil},
		{"profile.save", []string{"version", "fields"}},
		{"profile.confirm", []string{"version", "part"}},
		{"group.create", []string{"listed", "names_shown"}},
		{"group.terms", []string{"version", "names_shown"}},
		{"group.close", nil},
		{"group.invite", nil},
		{"group.admit", []string{"terms"}},
		{"group.remove", nil},
		{"group.accept", []string{"terms"}},
		{"group.ask", []string{"terms"}},
		{"group.leave", nil},
		{"session.start", nil},
		{"session.end", nil},
		{"session.revoke", nil},
		{"session.prove", nil},
		{"session.refuse", nil},
		{"credential.add", nil},
		{"credential.change", nil},
		{"credential.remove", nil},
		{"code.use", nil},
		{"passkey.copied", nil},
		{"recovery.ask", nil},
		{"recovery.confirm", nil},
		{"recovery.use", nil},
		{"provider.set", nil},
		{"provider.remove", nil},
		{"subject.bind", nil},
		{"subject.forget", nil},
		{"secrets.seal", nil},
		{"link.create", nil},
		{"link.redeem", nil},
		{"key.create", []string{"scopes", "networks", "expires", "proof", "subject"}},
		{"key.change", []string{"networks"}},
		{"key.rotate", []string{"expires", "former_until", "proof", "subject"}},
		{"key.end", []string{"credential"}},
		{"key.refused", []string{"reason", "from", "unwritten"}},
		{"key.revoke", nil},
		{"token.create", []string{"roles", "expires"}},
		{"token.revoke", nil},
		{"alert.raise", nil},
		{"alert.triage", nil},
		{"event.view", nil},
		{"letter.resend", []string{"batch", "corrected"}},
		{"letter.drop", nil},
		{"advisory.draft", nil},
		{"advisory.edit", nil},
		{"advisory.submit", nil},
		{"advisory.release", nil},
		{"advisory.withdraw", nil},
		{"advisory.mail", nil},
		{"advisory.open", nil},
		{"advisory.view", []string{"revision", "tlp"}},
		{"advisory.answer", []string{"answer"}},
		{"notify.post", nil},
		{"notify.choose", nil},
		{"pgpkey.add", []string{"fingerprint"}},
		{"pgpkey.drop", nil},
		{"webhook.create", []string{"host", "topics"}},
		{"webhook.rotate", []string{"host"}},
		{"webhook.drop", []string{"host"}},
		{"message.send", []string{"attempt"}},
		{"message.defer", []string{"attempt"}},
		{"message.fail", []string{"attempt"}},
		{"message.void", nil},
		{"message.retry", nil},
		{"message.drop", []string{"reason"}},
		{"escalation.deputies", nil},
		{"escalation.begin", nil},
		{"escalation.desk", nil},
		{"escalation.end", []string{"outcome"}},
		{"ledger.export", nil},
		{"list.export", []string{"format"}},
		{"view.save", nil},
		{"view.drop", nil},
	}
}

// ShownOf are the parts of an action's Detail that a member is shown; none for
// an action that is not listed.
func ShownOf(action string) []string {
	list := Actions()
	i := slices.IndexFunc(list, func(a Action) bool { return a.Name == action })
	if i < 0 {
		return nil
	}
	return list[i].Shown
}
