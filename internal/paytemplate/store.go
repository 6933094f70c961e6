package paytemplate

import (
	"cmp"
	"context"
	"slices"

	"elsom/internal/database"
)

const columns = "id, customer_id, service, identifier, payee, name, amount, position, made_at"

// readLists reads the templates of customers.
func (ts *Templates) readLists(ctx context.Context, customers []int64) ([][]Template, error) {
	var rows []Template
	these, list := database.InList(ts.db.Dialect(), customers)
	err := ts.db.Gorm(ctx).Raw("SELECT "+columns+" FROM payment_templates WHERE customer_id "+these, list).Scan(&rows).Error
	ordered(rows)
	lists := make([][]Template, len(customers))
	for i, id := range customers {
		for _, t := range rows {
			//mutant:replace t.CustomerID == id => id != 0 TestTemplatesOfOthersInOneStatement
			if t.CustomerID == id {
				lists[i] = append(lists[i], t)
			}
		}
	}
	return lists, err
}

// lockList reads the templates of a customer, whose row it locks: changes of a list come one
// after the other.
func lockList(tx *database.Tx, customerID int64) (list []Template, err error) {
	//mutant:drop TestSavesWaitForEachOther
	if err := tx.Gorm().Exec("SELECT 1 FROM customers WHERE id = ?"+tx.ForUpdate(), customerID).Error; err != nil {
		return nil, err
	}
	err = tx.Gorm().Raw("SELECT "+columns+" FROM payment_templates WHERE customer_id = ?", customerID).Scan(&list).Error
	ordered(list)
	return list, err
}

func ordered(list []Template) {
	slices.SortFunc(list, func(a, b Template) int { return cmp.Or(cmp.Compare(a.Position, b.Position), cmp.Compare(a.ID, b.ID)) })
}

func insert(tx *database.Tx, t Template) error {
	return tx.Gorm().Exec(`INSERT INTO payment_templates (`+columns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		t.ID, t.CustomerID, t.Service, t.Identifier, t.Payee, t.Name, t.Amount, t.Position, t.MadeAt).Error
}

func updateContent(tx *database.Tx, t Template) error {
	return tx.Gorm().Exec("UPDATE payment_templates SET name = ?, amount = ? WHERE id = ?", t.Name, t.Amount, t.ID).Error
}

func updatePosition(tx *database.Tx, id, position int64) error {
	return tx.Gorm().Exec("UPDATE payment_templates SET position = ? WHERE id = ?", position, id).Error
}

func remove(tx *database.Tx, customerID, id int64) error {
	//mutant:replace AND customer_id = ? => AND 0 <> ? ./web TestTemplateOfAnotherWallet
	return tx.Gorm().Exec("DELETE FROM payment_templates WHERE id = ? AND customer_id = ?", id, customerID).Error
}

func (ts *Templates) purge(ctx context.Context) (int64, error) {
	return ts.db.Purge(ctx, `DELETE FROM payment_templates WHERE id IN (SELECT t.id FROM payment_templates t JOIN customers c ON c.id = t.customer_id
		WHERE c.closed_phone <> '' AND c.closed_at IS NOT NULL LIMIT ?)`)
}
