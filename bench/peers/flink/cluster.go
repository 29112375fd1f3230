package flink

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
)

// Cluster is a Flink in a process of its own. It runs one pipeline at a time.
type Cluster struct {
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  *bufio.Reader
	said strings.Builder // what it wrote to stderr; complete when it has ended

	CPUSeconds float64 // user and system, from its start to the end of its last pipeline
}

// Table is what a table holds in the end. Its values are JSON.
type Table struct {
	Columns []string            `json:"columns"`
	Rows    [][]json.RawMessage `json:"rows"`
}

// Start starts a Flink, its JVM with the given options.
func Start(jvm ...string) (*Cluster, error) {
	cmd, err := Command(jvm...)
	if err != nil {
		return nil, err
	}
	c := &Cluster{cmd: cmd}
	cmd.Stderr = &c.said
	if c.in, err = cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	c.out = bufio.NewReader(out)
	return c, cmd.Start()
}

// Run runs a pipeline to the end of its sources and returns the tables of connector 'collect'.
func (c *Cluster) Run(p *Pipeline) (map[string]*Table, error) {
	b, err := json.Marshal(p)
	if err != nil {
		return nil, err
	}
	if _, err := c.in.Write(append(b, '\n')); err != nil {
		return nil, fmt.Errorf("flink: %w", err)
	}
	line, err := c.out.ReadBytes('\n')
	if err != nil {
		return nil, fmt.Errorf("flink has ended: %w", errors.Join(err, c.Close(), errors.New(c.said.String())))
	}
	var answer struct {
		Tables map[string]*Table `json:"tables"`
		Error  string            `json:"error"`
		CPU    float64           `json:"cpu_seconds"`
	}
	if err := json.Unmarshal(line, &answer); err != nil {
		return nil, fmt.Errorf("flink said %q: %w", line, err)
	}
	c.CPUSeconds = answer.CPU
	if answer.Error != "" {
		return nil, errors.New(answer.Error)
	}
	return answer.Tables, nil
}

// Close ends it.
func (c *Cluster) Close() error {
	_ = c.in.Close()
	return c.cmd.Wait()
}
