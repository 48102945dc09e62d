using System.Text;
using Sketch.Server.Commands;
using Sketch.Server.Commands.Load;

namespace Sketch.Tests.Server;

public class RowSourceTests
{
    private const int Large = int.MaxValue;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(7)]
    [InlineData(Large)]
    public async Task Csv_gives_its_rows_however_the_bytes_arrive(int chunk)
    {
        const string Csv = "\uFEFFname,delta,element\r\napple,7,\r\n\"a, \"\"quoted\"\" name\",-3,\r\n\r\npages,,\"/a,\nb\"\nété,1000000000000,\n\"last\",,x";
        Assert.Equal(
            """{"name":"apple","delta":7}|{"name":"a, \"quoted\" name","delta":-3}|{"name":"pages","element":"/a,\u000ab"}|{"name":"été","delta":1000000000000}|{"name":"last","element":"x"}""",
            await RowsAsync(Csv, LoadFormat.Csv, chunk));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    [InlineData(Large)]
    public async Task Json_lines_give_their_rows_however_the_bytes_arrive(int chunk) => Assert.Equal(
        """{"name":"apple","delta":7}|{"name":"a\"\\b","delta":-3}|{"name":"pages","element":"/\u0009ü","delta":2}|{"name":"last"}""",
        await RowsAsync(
            """
            {"name":"apple","value":7}
            { "counter" : "a\"\\b", "delta": "-3" }

            {"item":"/\u0009\u00fc","delta":2,"name":"pages"}
            {"name":"last"}
            """, LoadFormat.NdJson, chunk));

    [Theory]
    [InlineData("name,delta\na,1\nb,x\n", 3, "delta is x; allowed: a whole number from -1000000000000 to 1000000000000")]
    [InlineData("name,delta\na,1.5\n", 2, "delta is 1.5; allowed: ")]
    [InlineData("name,delta\na,99999999999999999999\n", 2, "delta is 99999999999999999999; allowed: ")]
    [InlineData("name,delta\na,1000000000001\n", 2, "delta is 1000000000001; allowed: ")]
    [InlineData("name,delta\n\"x\ny\",1\n,1\n", 2, "name is 'x\uFFFDy'; allowed: 1 to 256 bytes")]
    [InlineData("name,delta\na,1\n,1\n", 3, "name is ''; allowed: 1 to 256 bytes")]
    [InlineData("name,delta\na,1,2\n", 2, "row is of 3 fields; allowed: 2 fields")]
    [InlineData("name,delta\na\n", 2, "row is of 1 fields; allowed: 2 fields")]
    [InlineData("name,colour\na,1\n", 1, "column is colour; allowed: name, counter, delta, value, element, item")]
    [InlineData("name,counter\na,1\n", 1, "column is counter; allowed: one of ")]
    [InlineData("delta\n1\n", 1, "columns is delta; allowed: one of name, counter")]
    [InlineData("name\na\n\nb\"c\n", 4, "field is b\"c; allowed: fields with a quote")]
    [InlineData("name\n\"a\"b\n", 2, "field is \"a\"b; allowed: a comma or a line end")]
    [InlineData("name\n\"a\n\n\n", 2, "field is \"a")]
    public async Task A_wrong_row_of_csv_is_told_with_line_field_value_and_what_is_allowed(string csv, int line, string message) =>
        await IsRefusedAsync(csv, LoadFormat.Csv, line, message);

    [Theory]
    [InlineData("{\"name\":\"a\"}\n{\"name\":\"\"}\n", 2, "name is ''; allowed: 1 to 256 bytes")]
    [InlineData("{\"delta\":1}\n", 1, "name is missing; allowed: one of name, counter")]
    [InlineData("{\"name\":1}\n", 1, "name is 1; allowed: a string")]
    [InlineData("\n\n{\"name\":\"a\",\"delta\":\"1e3\"}\n", 3, "delta is 1e3; allowed: a whole number")]
    [InlineData("{\"name\":\"a\",\"delta\":null}\n", 1, "delta is null; allowed: a whole number")]
    [InlineData("{\"name\":\"a\",\"delta\":[1]}\n", 1, "delta is StartArray; allowed: a whole number")]
    [InlineData("{\"name\":\"a\",\"element\":\"\"}\n", 1, "element is empty; allowed: 1 to 256 bytes")]
    [InlineData("{\"name\":\"a\",\"value\":1,\"delta\":2}\n", 1, "member is delta; allowed: one of ")]
    [InlineData("{\"name\":\"a\",\"size\":1}\n", 1, "member is size; allowed: name, counter, delta, value, element, item")]
    [InlineData("[1]\n", 1, "row is [1]; allowed: an object")]
    [InlineData("{\"name\":\"a\"\n", 1, "row is not JSON at byte 12; allowed: an object")]
    [InlineData("{\"name\":\"a\"} {}\n", 1, "row is not JSON at byte ")]
    [InlineData("{\"name\":\"\\ud800\"}\n", 1, "name is \\ud800; allowed: a string of whole characters")]
    public async Task A_wrong_line_of_json_is_told_with_line_field_value_and_what_is_allowed(string json, int line, string message) =>
        await IsRefusedAsync(json, LoadFormat.NdJson, line, message);

    [Fact]
    public async Task What_is_longer_than_a_row_may_be_is_refused_and_not_held()
    {
        await IsRefusedAsync("name\n" + new string('x', 300) + "\n", LoadFormat.Csv, 2, "name is 'xxx");
        await IsRefusedAsync("name\na\n\"" + new string('x', 3 << 20), LoadFormat.Csv, 3, "row is longer than 65536 bytes");
        await IsRefusedAsync("{\"name\":\"" + new string('x', 3 << 20), LoadFormat.NdJson, 1, "row is longer than 65536 bytes");
    }

    [Theory]
    [InlineData("a.csv", 1)]
    [InlineData("dir.csv/A.NDJSON", 2)]
    [InlineData("x.jsonl", 2)]
    [InlineData("book.txt", 0)]
    [InlineData("-", 0)]
    public void A_files_ending_says_its_format(string file, int format) => Assert.Equal((LoadFormat)format, LoadFormats.ByEnding(file));

    private static async Task IsRefusedAsync(string text, LoadFormat format, int line, string message)
    {
        CommandException refused = await Assert.ThrowsAsync<CommandException>(() => RowsAsync(text, format, Large));
        Assert.StartsWith($"rows line {line}: {message}", refused.Message, StringComparison.Ordinal);
    }

    private static async Task<string> RowsAsync(string text, LoadFormat format, int chunk)
    {
        await using Trickle stream = new(Encoding.UTF8.GetBytes(text), chunk);
        ILoadSource source = format == LoadFormat.Csv ? new CsvRows(stream, "rows") : new NdJsonRows(stream, "rows");
        using LoadBatch batch = new();
        while (await source.ReadAsync(default))
        {
            Assert.False(source.Fill(batch, 1_000));
        }

        return Encoding.UTF8.GetString(batch.Body.Span).TrimEnd('\n').Replace('\n', '|');
    }
}
