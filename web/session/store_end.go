package session

import (
	"context"

	"elsom/internal/database"
)

// leave ends the request's old session and calls Options.Left for its browser and
// for device.
func (s *Sessions) leave(tx *database.Tx, old *visit, device string, stays int64) error {
	var browsers []string
	//mutant:replace OR handle = ? => OR handle = 0 * ? TestLogoutBesideARenewal
	//mutant:replace RETURNING => AND 1 = 2 RETURNING ./web TestLogOut
	//mutant:replace RETURNING => AND 1 = 0 RETURNING TestLoginRotates
	//mutant:replace RETURNING => AND 1 = 3 RETURNING TestLogoutEndsTheSessionOnTheServer
	if err := tx.Gorm().Raw(`DELETE FROM sessions WHERE (id = ? OR handle = ?) RETURNING browser`, old.key, old.row.Handle).Scan(&browsers).Error; err != nil || s.left == nil {
		return err
	}
	for _, browser := range append(browsers, device) {
		if browser == "" {
			continue
		}
		//mutant:replace tx, browser, => tx, "", ./web TestNoticesEndWithTheSession
		if err := s.left(tx, browser, stays); err != nil {
			return err
		}
	}
	return nil
}

// lockSession reports whether the session still exists, and locks it until the
// transaction ends.
func lockSession(tx *database.Tx, handle, customerID, epoch int64) (bool, error) {
	var found []int64
	//mutant:replace handle = ? AND customer_id = ? => handle = ? OR customer_id = ? TestSignedIn
	err := tx.Gorm().Raw(`SELECT handle FROM sessions WHERE handle = ? AND customer_id = ? AND epoch = ?`+tx.ForShare(), handle, customerID, epoch).Scan(&found).Error
	return len(found) > 0, err
}

func (s *Sessions) endOne(ctx context.Context, customerID, handle int64) (done bool, err error) {
	err = s.db.InTx(ctx, func(_ context.Context, tx *database.Tx) error {
		var browsers []string
		//mutant:replace customer_id = ? => customer_id > ? - 99 TestListAndEnd
		err := tx.Gorm().Raw(`UPDATE sessions SET epoch = ?, data = '{}', version = version + 1
			WHERE customer_id = ? AND handle = ? AND epoch <> ? RETURNING browser`, endedEpoch, customerID, handle, endedEpoch).Scan(&browsers).Error
		done = len(browsers) > 0
		if err != nil || !done || s.ended == nil {
			return err
		}
		//mutant:replace s.ended(tx, customerID, browsers[0], false) => nil ./web TestNoticesEndWithTheSession
		return s.ended(tx, customerID, browsers[0], false)
	})
	return done, err
}

func (s *Sessions) endOthers(ctx context.Context, customerID, handle int64, browser string) error {
	return s.db.InTx(ctx, func(_ context.Context, tx *database.Tx) error {
		//mutant:replace handle <> ? => handle = ? ./web TestEndingOtherSessions
		err := tx.Gorm().Exec(`UPDATE sessions SET epoch = ?, data = '{}', version = version + 1
			WHERE customer_id = ? AND handle <> ? AND epoch <> ?`, endedEpoch, customerID, handle, endedEpoch).Error
		if err != nil || s.ended == nil {
			return err
		}
		//mutant:replace s.ended(tx, customerID, browser, true) => nil ./web TestNoticesEndWithTheSession
		return s.ended(tx, customerID, browser, true)
	})
}
