// Package pipelines holds pipelines that run. Each is a file of SQL; the demo
// embeds the ones it shows.
//
//	pipelines.SurgePricing // the text of surge-pricing.sql
package pipelines

import _ "embed"

// SurgePricing is the pipeline of `streamd demo`.
//
//go:embed surge-pricing.sql
var SurgePricing string
