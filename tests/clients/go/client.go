// client HOST PATH BODY-FILE COUNT posts a file over Go's own HTTP client and TLS;
// client hold does nothing until its standard input ends.
package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
)

func main() {
	if os.Args[1] == "hold" {
		fmt.Println("ready")
		io.Copy(io.Discard, os.Stdin)
		return
	}
	if err := post(os.Args[1], os.Args[2], os.Args[3], os.Args[4]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func post(host, path, file, count string) error {
	body, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	number, err := strconv.Atoi(count)
	if err != nil {
		return err
	}
	for i := 0; i < number; i++ {
		response, err := http.Post("https://"+host+path, "application/json", bytes.NewReader(body))
		if err != nil {
			return err
		}
		// A connection is used again only once its response was read.
		_, err = io.Copy(io.Discard, response.Body)
		response.Body.Close()
		if err != nil {
			return err
		}
	}
	return nil
}
