namespace Sketch.Tests.Integration.Page;

/// <summary>The TypeScript package, by its own tests against a real node and as npm would publish it.</summary>
[Collection(nameof(PageNode))]
public sealed class ClientPackageTests(PageNode node)
{
    private static readonly string Folder = Path.Combine(Repository.Root, "Realtime", "client-ts");

    [Fact]
    public async Task Its_own_tests_pass_against_a_real_node()
    {
        string output = await Command.Bash($"cd '{Folder}' && SKETCH_URL={node.Node.Http.GetLeftPart(UriPartial.Authority)} node --test test/");
        Assert.Contains("# fail 0", output, StringComparison.Ordinal);
        Assert.DoesNotContain("# pass 0", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_five_lines_of_its_README_print_live_values()
    {
        string readme = await File.ReadAllTextAsync(Path.Combine(Folder, "README.md"));
        string example = readme.Split("```js\n")[1].Split("```")[0];
        Assert.InRange(example.Trim().Split('\n').Length, 1, 5);
        string script = example
            .Replace("http://127.0.0.1:8080", node.Node.Http.GetLeftPart(UriPartial.Authority), StringComparison.Ordinal)
            .Replace("words", PageNode.Namespace, StringComparison.Ordinal);
        string file = Path.Combine(Folder, "dist", "example.test.mjs");
        await File.WriteAllTextAsync(file, script.Replace("document.title = ", "console.log(", StringComparison.Ordinal).Replace(";\n});", ");\n  process.exit();\n});", StringComparison.Ordinal));
        try
        {
            Assert.Contains("±", await Command.Run("node", [file]), StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public async Task The_package_holds_what_its_exports_name_and_nothing_else()
    {
        string listing = await Command.Bash($"cd '{Folder}' && npm pack --dry-run --json --ignore-scripts");
        foreach (string file in new[] { "dist/index.js", "dist/index.d.ts", "README.md", "package.json" })
        {
            Assert.Contains($"\"path\": \"{file}\"", listing, StringComparison.Ordinal);
        }

        Assert.DoesNotContain("test/", listing, StringComparison.Ordinal);
        Assert.DoesNotContain("\"path\": \"src/", listing, StringComparison.Ordinal);
    }
}
