package wire

import (
	"context"
	"crypto/rand"
	"time"

	"github.com/aspis-platform/aspis/internal/notify"
	"github.com/aspis-platform/aspis/internal/organisation"
	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/platform/i18n"
	"github.com/aspis-platform/aspis/internal/platform/jobs"
	"github.com/aspis-platform/aspis/internal/platform/secret"
	"github.com/aspis-platform/aspis/internal/sector"
	"github.com/aspis-platform/aspis/internal/web"
)

// sealedInvitation is the purpose of one-time links that wait to be mailed.
const sealedInvitation = "invitation"

// invitations mails one-time links through the notification centre. The secret
// lies sealed among the messages until it is sent.
type invitations struct {
	directory *sector.Directory
	secrets   *secret.Box
}

var _ organisation.Mailer = invitations{}

// MailLink implements organisation.Mailer.
func (i invitations) MailLink(ctx context.Context, by sector.Viewer, id sector.UserID, valid time.Duration) error {
	return i.directory.SendLink(ctx, by, id, valid, func(link string) ([]jobs.Job, error) {
		sealed, err := i.secrets.Seal(sealedInvitation, string(id), []byte(link))
		return []jobs.Job{post(notify.Event{ID: "invitation-" + rand.Text(), Topic: notify.Security, Object: "invitation:" + string(id), Ref: sealed,
			Key: "notify.line.invitation", Audience: notify.Audience{Users: []sector.UserID{id}}})}, err
	})
}

// invitationSource writes the mails.
type invitationSource struct {
	secrets *secret.Box
	texts   *i18n.Catalogue
	base    string
}

var _ notify.Source = invitationSource{}

// Letter implements notify.Source.
func (s invitationSource) Letter(_ context.Context, v sector.Viewer, e notify.Event, _ bool) (notify.Letter, error) {
	if string(v.User) != e.ObjectID() {
		return notify.Letter{}, errs.New(errs.NotFound, "notify.gone")
	}
	link, err := s.secrets.Open(sealedInvitation, string(v.User), e.Ref)
	if err != nil {
		return notify.Letter{}, err
	}
	address := web.LinkURL(s.base, string(link))
	zh := s.texts.T(i18n.ZhHant, "notify.invitation.text", v.Email)
	en := s.texts.T(i18n.En, "notify.invitation.text", v.Email)
	subject := s.texts.T(i18n.ZhHant, "notify.invitation.subject") + " / " + s.texts.T(i18n.En, "notify.invitation.subject")
	return notify.Letter{Subject: subject, Text: zh + "\n\n" + en + "\n\n" + address + "\n"}, nil
}

// Titles implements notify.Source.
func (invitationSource) Titles(context.Context, sector.Viewer, []string) (map[string]notify.Text, error) {
	return map[string]notify.Text{}, nil
}

// Concerned implements notify.Source.
func (invitationSource) Concerned(_ context.Context, _ notify.Event, members []sector.MemberID) ([]sector.MemberID, error) {
	return members, nil
}

// Told implements notify.Source.
func (invitationSource) Told(context.Context, sector.MemberID, notify.Event) error { return nil }

// Failed implements notify.Source.
func (invitationSource) Failed(context.Context, sector.MemberID, notify.Event, string) error {
	return nil
}
