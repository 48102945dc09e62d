using System.Text.RegularExpressions;

namespace Sketch.Tests.Docs;

public partial class PageTests
{
    private const int LongestFolderPage = 25;

    public static TheoryData<string> Pages => [.. Repository.Files(".md")];

    public static TheoryData<string> Folders => [.. Repository.TopFolders];

    [Theory]
    [MemberData(nameof(Folders))]
    public void A_top_folder_says_in_a_few_lines_what_it_is_for(string folder)
    {
        string page = Path.Combine(Repository.Root, folder, "README.md");
        Assert.True(File.Exists(page), $"{folder}/README.md is missing");
        Assert.InRange(File.ReadAllLines(page).Length, 3, LongestFolderPage);
    }

    [Theory]
    [MemberData(nameof(Pages))]
    public void Links_within_the_repository_resolve(string page)
    {
        string folder = Path.GetDirectoryName(Path.Combine(Repository.Root, page))!;
        List<string> broken = [];
        foreach (Match link in Link().Matches(CodeBlock().Replace(File.ReadAllText(Path.Combine(Repository.Root, page)), "")))
        {
            string target = link.Groups[1].Value.Split('#')[0];
            if (target.Length > 0 && !target.Contains(':') && !Path.Exists(Path.Combine(folder, Uri.UnescapeDataString(target))))
            {
                broken.Add(target);
            }
        }

        Assert.Empty(broken);
    }

    [GeneratedRegex(@"\]\(([^)\s]+)[^)]*\)")]
    private static partial Regex Link();

    [GeneratedRegex("(?ms)^```.*?^```|`[^`\n]+`")]
    private static partial Regex CodeBlock();
}
