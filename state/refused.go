package state

import (
	"fmt"
	"strings"

	"github.com/streamd/streamd/connectors"
)

// Refused is a finding at which a job must not go on by itself: it ends in state
// REFUSED, all files stay as they are, and the next start would find the same.
type Refused struct {
	Code   string // SD7xxx
	Name   string // as documented, in capitals: "STATE LOST"
	Msg    string // what was found
	Advice string
	IDs    []connectors.EpochID // what the cluster has, what the directory has
}

func (r *Refused) Error() string {
	var b strings.Builder
	b.WriteString(r.Name + ": " + r.Msg)
	for i, id := range r.IDs {
		b.WriteString(map[bool]string{true: "; epochs ", false: ", "}[i == 0] + formatID(id))
	}
	if r.Advice != "" {
		b.WriteString(" (" + r.Advice + ")")
	}
	return b.String()
}

// Unwrap gives the finding in the form all connectors share.
func (r *Refused) Unwrap() error {
	return &connectors.Refused{Code: r.Code, What: r.Name, Why: r.Msg, Advice: r.Advice}
}

func formatID(id connectors.EpochID) string {
	if id.IsZero() {
		return "none"
	}
	return fmt.Sprintf("%d/%d/%08x", id.Number, id.Incarnation, id.CRC)
}

// refuse builds the finding of a code, with the table's name and advice.
func refuse(code string, ids []connectors.EpochID, format string, a ...any) *Refused {
	for i := range Codes {
		if c := &Codes[i]; c.Code == code {
			return &Refused{Code: code, Name: c.Name, Msg: fmt.Sprintf(format, a...), Advice: c.WayOut, IDs: ids}
		}
	}
	panic("BUG: no code " + code)
}

// Code documents one message.
type Code struct {
	Code, Name, Title, Explanation, Example, WayOut string
}

// Codes of the messages about state and recovery.
const (
	InUse         = "SD7001"
	Corrupt       = "SD7002"
	NotWritten    = "SD7003"
	TopicReplaced = "SD7004" // the control topic
	Lost          = "SD7005"
	Foreign       = "SD7006"
	RolledBack    = "SD7007"
	NewerFormat   = "SD7008"
	DoesNotFit    = "SD7009"
	OtherJob      = "SD7010"
	NoRoom        = "SD7011"
)

// Codes lists the codes of this package, for the documentation and `explain`.
var Codes = []Code{
	{InUse, "STATE IN USE", "Another process has the state directory",
		"One process at a time owns a state directory; it holds a lock on the file LOCK as long as it lives, stopped or not.",
		"STATE IN USE: /var/lib/streamd/orders is locked by pid 4711",
		"stop that process, or give this job a directory of its own"},
	{Corrupt, "STATE CORRUPT", "Stored bytes are not what was written",
		"A checksum or a rule of the format does not hold in a file of the state directory. Nothing was changed or removed.",
		"STATE CORRUPT: delta/0000000000000042-000000000007.delta: the checksum of a section is wrong",
		"restore the directory from a copy, or take a fresh --state under a new --name"},
	{NotWritten, "STATE NOT WRITTEN", "An epoch could not be made durable",
		"Writing, fsync or rename of a file in the state directory failed. The epoch is given up; a failed fsync is never repeated, the job recovers instead.",
		"STATE NOT WRITTEN: fsync delta/0000000000000042-000000000007.delta.tmp: input/output error",
		"look at the disk; the job tries again by itself"},
	{TopicReplaced, "CONTROL TOPIC REPLACED", "The job's control topic is another one",
		"The topic that records which epochs were decided was deleted and made anew, or this is another cluster. What was decided can no longer be told from it.",
		"CONTROL TOPIC REPLACED: __streamd.main.orders is not the topic this directory belongs to",
		"bring the topic back, or start with --adopt, which prints what may come twice"},
	{Lost, "STATE LOST", "The cluster decided an epoch this directory does not have",
		"Epochs were decided that cannot be reached from here: the directory is empty, older than it should be, or another copy of it went on.",
		"STATE LOST: the newest decided epoch is 42/7/1c2d3e4f, this directory ends at 40/7/0a1b2c3d",
		"use the directory that went on, or a new job name, or --adopt, which prints what may come twice"},
	{Foreign, "FOREIGN STATE", "The directory belongs to another job",
		"The lineage in the directory is not the one that writes the control topic of this job name.",
		"FOREIGN STATE: job orders is of lineage 1f…, the directory of lineage 2e…",
		"give the right directory or the right job name, or --adopt, which prints what may come twice"},
	{RolledBack, "CONTROL TOPIC ROLLED BACK", "The control topic has lost decisions",
		"The newest decision in the control topic is older than what this directory knows was decided: the cluster lost acknowledged records.",
		"CONTROL TOPIC ROLLED BACK: newest marker 38/7/…, decided here 42/7/…",
		"repair the cluster, or start with --adopt, which prints what may come twice"},
	{NewerFormat, "STATE FORMAT", "The directory was written by a newer release",
		"meta.json names a format this release does not know.",
		"STATE FORMAT: the directory has format 2, this release reads 1",
		"run the release that wrote it, or a newer one"},
	{DoesNotFit, "STATE DOES NOT FIT", "A table's columns differ from what is stored",
		"A table of the same name was stored with other columns.",
		"STATE DOES NOT FIT: count(k) of operator 3fa9 is stored as (k STRING, n BIGINT)",
		"run the pipeline that wrote the state, or start with a new job name"},
	{OtherJob, "STATE OF ANOTHER JOB", "The directory was made for another job name",
		"A state directory belongs to one job name.",
		"STATE OF ANOTHER JOB: the directory belongs to job orders, this job is payments",
		"give each job a directory of its own"},
	{NoRoom, "DISK NEARLY FULL", "The job waits for room on the disk",
		"Less room is left than the state store needs to write safely. The job pauses and goes on when there is room.",
		"DISK NEARLY FULL: 120 MiB free in /var/lib/streamd/orders, 288 MiB needed",
		"make room; the job goes on by itself"},
}
