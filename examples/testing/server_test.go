// Starts the program for the tests of a package, and drives it. The program ends with this process.
package feed

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"strings"
)

// The program ends when this closes, so the garbage collector must not collect it.
var stdin io.Closer

// start returns the origin of the program, such as http://127.0.0.1:34567.
func start(options ...string) string {
	command := exec.Command("rust_sse_server", append(options, "--control", "--exit-with-stdin", "127.0.0.1:0")...)
	stdin, _ = command.StdinPipe()
	stdout, _ := command.StdoutPipe()
	if err := command.Start(); err != nil {
		panic(err)
	}
	line, _ := bufio.NewReader(stdout).ReadString('\n')
	return strings.TrimSuffix(line[strings.LastIndex(line, " ")+1:], "/events\n")
}

func drive(method, url, body string) []byte {
	request, _ := http.NewRequest(method, url, strings.NewReader(body))
	response, err := http.DefaultClient.Do(request)
	if err != nil || response.StatusCode >= 300 {
		panic(fmt.Sprint(url, err, response))
	}
	text, _ := io.ReadAll(response.Body)
	return text
}
